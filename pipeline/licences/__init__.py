"""Licences of recordings: one spelling for each (``names``), and which of them let audio be published (``policy``)."""
