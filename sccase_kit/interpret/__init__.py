"""The folder that :func:`sccase_kit.tl.interpret` fills: its steps and its README."""
