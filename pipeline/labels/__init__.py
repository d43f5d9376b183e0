"""Labels of single files, and how right labels are."""
