"""What crosses the border of a kernel: requests to a proxy, TLS greetings, questions for names. Mostly sans-io."""
