"""The kernel by descriptor, without policy words: names, files, trees."""
