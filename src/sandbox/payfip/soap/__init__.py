"""The SOAP service of the simulator, on the Treasury's contract."""
