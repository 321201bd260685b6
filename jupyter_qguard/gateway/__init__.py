"""The process between the kernels and the outside: takes the listeners of each kernel, decides, dials, records."""
