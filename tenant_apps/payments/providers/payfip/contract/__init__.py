"""The contract of the web service, as the Treasury publishes it. It is read by the client and by the simulator."""

from pathlib import Path

CONTRACT = Path(__file__).parent / "PaiementSecuriseService.wsdl"
