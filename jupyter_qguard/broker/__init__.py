"""The swapping part of the gateway: what a kernel may ask a vendor, and with which credential. Sans-io, pure."""
