# Entry point of the bridge: Rscript child.R TOOL INPUT_FOLDER OUTPUT_FOLDER
#
# Reads the inputs from a folder (exchange.R), calls run_<tool>() of ../<tool>.R with them and writes the result, or
# what went wrong, to another folder. The tool "code" runs the code of the inputs instead, on their objects. Everything R
# prints on the way goes to the parent process line by line.

lib <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[[1L]]))
bridge <- new.env(parent = globalenv())
for (file in c("guard.R", "exchange.R", "objects.R")) sys.source(file.path(lib, file), bridge)
options(sccase_kit.installer = file.path(dirname(lib), "install.R"))

local(envir = bridge, {
  arguments <- commandArgs(trailingOnly = TRUE)
  tool <- arguments[[1L]]
  if (tool != "code") sys.source(file.path(dirname(get("lib", globalenv())), paste0(tool, ".R")), bridge)
  rm(list = c("lib", "file", "bridge"), envir = globalenv())
  outcome <- guarded(function() {
    if (tool != "code") {
      need("Matrix")
      suppressPackageStartupMessages(library(Matrix))
    }
    read_bundle(arguments[[2L]])
  })
  inputs <- outcome$value
  if (is.null(outcome$problem)) {
    outcome <- if (tool == "code") {
      list2env(inputs$objects, globalenv())
      evaluate_visibly(inputs$code)
    } else {
      invoke(get(paste0("run_", tool)), inputs)
    }
  }
  if (is.null(outcome$problem)) {
    result <- if (tool == "code") outcome$value["value"] else c(outcome$value, list(session = session_of()))
    outcome <- guarded(function() write_bundle(result, arguments[[3L]]))
  }
  if (!is.null(outcome$problem)) {
    dir.create(arguments[[3L]], showWarnings = FALSE)
    write_bundle(outcome$problem, file.path(arguments[[3L]], "problem"))
    quit(save = "no", status = 3L)
  }
})
