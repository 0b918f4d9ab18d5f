"""Every sentence a user reads, one module for each stage.

The functions return problems and errors, ready to be raised.
"""
