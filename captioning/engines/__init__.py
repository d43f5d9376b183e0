"""What writes captions: the template grammar, and LLMs behind an OpenAI-compatible server."""
