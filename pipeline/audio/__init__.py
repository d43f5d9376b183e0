"""Audio files in, samples out; samples in, FLAC out. Decoding happens in a process that may die."""
