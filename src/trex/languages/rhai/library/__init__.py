"""The functions of the standard packages, by the type of their first argument."""
