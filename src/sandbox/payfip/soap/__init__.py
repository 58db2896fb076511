"""The simulator's SOAP service, on the Treasury's contract."""
