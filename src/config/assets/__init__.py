"""Static files, the residents' stylesheet, and the loader of templates."""
