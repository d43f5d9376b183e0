"""One build: plan, job process, supervision, and publication of the folder."""
