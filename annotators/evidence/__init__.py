"""What a tool's output says beyond the value that it chose; read by the fusion. Pure functions."""
