"""What a kernel is put into: namespaces, files, environment and system calls, and the proof that they hold."""
