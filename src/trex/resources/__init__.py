"""What operations are about, one module per Cedar namespace: argument, opened object, entity."""
