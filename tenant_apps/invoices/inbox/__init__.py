"""Files that arrive without a person: the folder of a source is looked at; each file goes the road of an import."""
