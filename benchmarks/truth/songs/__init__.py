"""Real songs as truth: expert transcriptions (Billboard) and MIDI (POP909), rendered as records sound."""
