"""Does a brokered key get into a kernel, or out of it? Many tries in one real kernel, judged from outside."""
