# Entry point of the bridge: Rscript child.R TOOL INPUT_FOLDER OUTPUT_FOLDER
#
# Reads the inputs from a folder (exchange.R), calls run_<tool>() of ../<tool>.R with them and writes the result, or
# what went wrong, to another folder. Everything R prints on the way goes to the parent process line by line.

lib <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[[1L]]))
for (file in c("guard.R", "exchange.R")) source(file.path(lib, file))
scripts <- dirname(lib)
options(sccase_kit.installer = file.path(scripts, "install.R"))

arguments <- commandArgs(trailingOnly = TRUE)
tool <- arguments[[1L]]
source(file.path(scripts, paste0(tool, ".R")))
outcome <- guarded(function() {
  need("Matrix")
  suppressPackageStartupMessages(library(Matrix))
  read_bundle(arguments[[2L]])
})
if (is.null(outcome$problem)) outcome <- invoke(get(paste0("run_", tool)), outcome$value)
if (is.null(outcome$problem)) {
  write_bundle(outcome$value, arguments[[3L]])
} else {
  dir.create(arguments[[3L]], showWarnings = FALSE)
  write_bundle(outcome$problem, file.path(arguments[[3L]], "problem"))
  quit(save = "no", status = 3L)
}
