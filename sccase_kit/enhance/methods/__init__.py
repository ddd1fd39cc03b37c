"""The methods of enhancement, one file each; :mod:`sccase_kit.enhance` imports them, which fills the table."""
