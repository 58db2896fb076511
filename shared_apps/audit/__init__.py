"""The trail: who did what to which object, with old and new values. Other rooms can listen to its facts."""
