"""Commands of the command line; each module has HELP, add_arguments(parser) and run(args) -> dict."""
