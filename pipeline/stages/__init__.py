"""The stages of the DAG: thin DoFns around plain functions, and the journals that join them."""
