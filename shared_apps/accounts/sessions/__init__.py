"""What happens once somebody is signed in: devices, a recent proof, an operator in a member of staff's place."""
