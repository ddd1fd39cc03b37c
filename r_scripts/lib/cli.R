# Options of the form --name value, and the text files that the scripts read and write when R is used alone.

# parse_options(definitions, arguments): definitions is a list name -> list(default, help); default NULL = required.
# The type of the default decides the type of the value; a logical default makes a flag without value.
parse_options <- function(definitions, about, arguments = commandArgs(trailingOnly = TRUE)) {
  if (!length(arguments) || any(arguments %in% c("-h", "--help"))) {
    cat(about, "\n\nOptions:\n", sep = "")
    for (name in names(definitions)) {
      default <- definitions[[name]]$default
      note <- if (is.null(default)) "required" else if (identical(default, "")) "optional" else paste("default:", default)
      cat(sprintf("  --%-18s %s (%s)\n", name, definitions[[name]]$help, note))
    }
    quit(save = "no", status = if (length(arguments)) 0L else 2L)
  }
  values <- lapply(definitions, `[[`, "default")
  k <- 1L
  while (k <= length(arguments)) {
    name <- sub("^--", "", arguments[[k]])
    if (!startsWith(arguments[[k]], "--") || !name %in% names(definitions)) {
      stop("unknown option ", arguments[[k]], "; known: ", paste0("--", names(definitions), collapse = ", "), call. = FALSE)
    }
    default <- definitions[[name]]$default
    if (is.logical(default)) {
      values[[name]] <- TRUE
      k <- k + 1L
      next
    }
    if (k == length(arguments)) stop("--", name, " needs a value", call. = FALSE)
    values[[name]] <- if (is.numeric(default)) as.numeric(arguments[[k + 1L]]) else arguments[[k + 1L]]
    if (anyNA(values[[name]])) stop("--", name, " must be a number, got ", arguments[[k + 1L]], call. = FALSE)
    k <- k + 2L
  }
  absent <- setdiff(names(definitions), names(Filter(Negate(is.null), values)))
  if (length(absent)) stop("missing option(s): ", paste0("--", absent, collapse = ", "), call. = FALSE)
  values
}

# A matrix from MatrixMarket (.mtx, .mtx.gz) or .rds (a matrix, or a SummarizedExperiment: its first assay).
read_matrix <- function(path) {
  if (grepl("\\.rds$", path)) {
    value <- readRDS(path)
    if (methods::is(value, "SummarizedExperiment")) value <- SummarizedExperiment::assay(value)
  } else {
    value <- Matrix::readMM(path)
  }
  methods::as(value, "CsparseMatrix")
}

read_column <- function(path) {
  values <- readLines(path)
  values <- values[nzchar(values)]
  number <- suppressWarnings(as.numeric(values))
  if (anyNA(number)) values else number
}

# One TSV per matrix, vector or data frame; sparse matrices as MatrixMarket.
write_results <- function(values, folder) {
  dir.create(folder, showWarnings = FALSE, recursive = TRUE)
  for (name in names(values)) {
    value <- values[[name]]
    if (is.null(value)) next
    if (methods::is(value, "sparseMatrix")) {
      path <- file.path(folder, paste0(name, ".mtx"))
      Matrix::writeMM(methods::as(value, "dMatrix"), path)
    } else {
      path <- file.path(folder, paste0(name, ".tsv"))
      utils::write.table(as.data.frame(value), path, sep = "\t", quote = FALSE, col.names = NA)
    }
    message("wrote ", path)
  }
}
