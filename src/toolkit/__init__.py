"""Plain functions: money, time, addresses, storage, secrets. No model, and nothing about towns."""
