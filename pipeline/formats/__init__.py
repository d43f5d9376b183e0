"""Other people's layouts, read and written: ``fgmcaps export`` and ``fgmcaps import``.

One file a layout, one line each in ``registry``; ``run`` carries out an export or an import, ``shared`` holds what
several layouts need. Nothing is imported here: the command line must not wait for the layouts.
"""
