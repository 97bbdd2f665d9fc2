"""Pictures as they come in, made into pictures that can be kept."""
