"""The clips of one track judged together: what a clip may be, given what the others are."""
