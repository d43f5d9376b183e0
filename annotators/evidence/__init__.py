"""What a tool found beyond the value that it chose: one typed class a kind, for the tool and for the fusion."""
