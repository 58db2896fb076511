"""JVS Omega: what each object of its JSON is."""
