"""The contract of the web service (WSDL), as the Treasury publishes it. The client and the simulator read it."""

from pathlib import Path

CONTRACT = Path(__file__).parent / "PaiementSecuriseService.wsdl"
