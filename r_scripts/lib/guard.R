# Run a function and, when it fails, say everything that is known about the failure.

one_line <- function(call) {
  if (is.null(call)) return("")
  text <- trimws(paste(deparse(call, width.cutoff = 200L, nlines = 3L), collapse = " "))
  if (nchar(text) > 200L) paste0(substr(text, 1L, 197L), "...") else text
}

# guarded(function() ...) -> list(value =, problem =, interrupted =); `problem` is NULL on success.
#
# `problem` holds R's own message, the failing call, the calls that led to it (outermost first) and sessionInfo().
# Warnings are printed at once, one line each, instead of being collected until the end.
guarded <- function(body) {
  problem <- NULL
  interrupted <- FALSE
  depth <- sys.nframe()
  own <- paste0("^(tryCatch|withCallingHandlers|doTryCatch|tryCatchList|tryCatchOne|body)\\(|",
                "^eval\\((call|code|statement, frame|expr, p|expr, envir)|^(eval|withVisible)\\(eval\\(code|^withVisible\\(eval")
  on_error <- function(condition) {
    calls <- vapply(sys.calls(), one_line, "")
    calls <- calls[seq_along(calls) > depth]
    calls <- calls[!grepl(own, calls)]
    handler <- grep("^(\\.handleSimpleError|h\\(simpleError|\\(function \\(condition\\))", calls)
    if (length(handler)) calls <- calls[seq_len(handler[[1L]] - 1L)]
    problem <<- list(
      message = conditionMessage(condition),
      call = one_line(conditionCall(condition)),
      traceback = as.character(calls),
      session = utils::capture.output(print(utils::sessionInfo()))
    )
  }
  on_warning <- function(condition) {
    base::message("Warning: ", conditionMessage(condition))
    invokeRestart("muffleWarning")
  }
  value <- tryCatch(
    withCallingHandlers(body(), error = on_error, warning = on_warning),
    error = function(condition) {
      if (is.null(problem)) on_error(condition)
      NULL
    },
    interrupt = function(condition) {
      interrupted <<- TRUE
      NULL
    }
  )
  list(value = value, problem = problem, interrupted = interrupted)
}

# R and the packages that are loaded, with their versions: what made a result.
session_of <- function() {
  own <- c("base", "compiler", "datasets", "graphics", "grDevices", "grid", "methods", "parallel", "splines", "stats", "stats4", "tools", "utils")
  loaded <- sort(setdiff(loadedNamespaces(), own))
  c(paste("R", getRversion()), vapply(loaded, function(name) paste(name, getNamespaceVersion(name)), "", USE.NAMES = FALSE))
}

# guarded(fun(...)) with the arguments of a list. They are referred to, not pasted into the call: a traceback stays short.
invoke <- function(fun, arguments) {
  keys <- lapply(seq_along(arguments), function(k) call("[[", quote(arguments), k))
  names(keys) <- names(arguments)
  call <- as.call(c(quote(fun), keys))
  guarded(function() eval(call))
}

# A statement ready to be evaluated: loops as byte code, since R compiles them itself only in the global environment.
prepared <- function(statement, frame) {
  loops <- is.call(statement) && any(c("for", "while", "repeat") %in% all.names(statement))
  if (!loops) return(statement)
  tryCatch(compiler::compile(statement, frame, options = list(suppressAll = TRUE)), error = function(condition) statement)
}

# Evaluate code, statement by statement, in an environment of its own that holds `variables` and sees the attached
# packages (also those that the code attaches) but not the global environment.
evaluate <- function(code, variables) {
  frame <- list2env(variables)
  guarded(function() {
    value <- NULL
    for (statement in as.list(parse(text = code, keep.source = FALSE))) {
      parent.env(frame) <- parent.env(globalenv())
      code <- prepared(statement, frame)
      value <- eval(code, frame)
    }
    value
  })
}

# Evaluate code in the global environment; the value is list(value, visible).
evaluate_visibly <- function(code) {
  guarded(function() {
    value <- list(value = NULL, visible = FALSE)
    for (statement in as.list(parse(text = code, keep.source = FALSE))) {
      code <- prepared(statement, globalenv())
      value <- withVisible(eval(code, globalenv()))
    }
    value
  })
}

# Stop, naming the line that installs them, unless all of `packages` are installed.
need <- function(packages, installer = getOption("sccase_kit.installer", "r_scripts/install.R")) {
  missing <- packages[!nzchar(vapply(packages, function(p) system.file(package = p), ""))]
  if (length(missing)) {
    stop("R package(s) not installed: ", paste(missing, collapse = ", "),
         ". Install with: Rscript ", installer, " ", paste(missing, collapse = " "), call. = FALSE)
  }
}
