"""The project's measuring sticks: recall, false findings, speed, and what peers do in the same run."""
