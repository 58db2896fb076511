"""The Treasury's journals and bank statements, compared with our payments."""
