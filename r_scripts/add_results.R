#!/usr/bin/env Rscript
# Results of sccase_kit into the object of R that the cells came from, or into a new one; written as .rds.

# out  the file to write; into  the .rds of a Seurat object or SingleCellExperiment, or NULL; experiment  used without
# `into`; cells  names of the cells of the results; columns  data frame of cells; reductions  name -> list(matrix, columns);
# assays  name -> list(values: features x cells, features), such as deviations and the enhanced matrix.
# Value: the class of the object and what was added.
run_add_results <- function(out, cells, columns = NULL, reductions = list(), assays = list(), into = NULL, experiment = NULL) {
  object <- if (is.null(into)) experiment else readRDS(into)
  if (methods::is(object, "Seurat")) {
    need("SeuratObject")
    suppressPackageStartupMessages(requireNamespace("SeuratObject", quietly = TRUE))
    add <- add_to_seurat
  } else if (methods::is(object, "SummarizedExperiment")) {
    need("SingleCellExperiment")
    suppressPackageStartupMessages(requireNamespace("SingleCellExperiment", quietly = TRUE))
    if (!methods::is(object, "SingleCellExperiment")) object <- methods::as(object, "SingleCellExperiment")
    add <- add_to_experiment
  } else {
    stop("results are added to a Seurat object or a SummarizedExperiment; ", into, " holds a ", class(object)[[1L]])
  }
  where <- match(colnames(object), cells)
  if (all(is.na(where))) {
    stop("no cell of ", into, " has a name of the results' cells; e.g. ", colnames(object)[[1L]], " against ", cells[[1L]])
  }
  if (anyNA(where)) {
    message("Warning: ", sum(is.na(where)), " of ", length(where), " cells of the object are not among the results: NA there")
  }
  object <- add(object, where, columns, reductions, assays)
  saveRDS(object, out)
  list(class = class(object)[[1L]], missing = sum(is.na(where)))
}

rows_of <- function(item, where, names) {
  values <- item$values[where, , drop = FALSE]
  dimnames(values) <- list(names, item$columns)
  values
}

columns_of <- function(item, where, names) {
  values <- item$values[, where, drop = FALSE]
  dimnames(values) <- list(item$features, names)
  values
}

add_to_seurat <- function(object, where, columns, reductions, assays) {
  names <- colnames(object)
  for (name in names(columns)) object[[name]] <- stats::setNames(columns[[name]][where], names)
  if (length(reductions) && anyNA(where)) stop("Seurat's reductions need every cell; subset the object to the results' cells first")
  for (name in names(reductions)) {
    key <- paste0(gsub("[^A-Za-z0-9]", "", name), "_")
    values <- rows_of(reductions[[name]], where, names)
    colnames(values) <- paste0(key, seq_len(ncol(values)))
    object[[name]] <- SeuratObject::CreateDimReducObject(values, key = key, assay = SeuratObject::DefaultAssay(object))
  }
  if (length(assays) && anyNA(where)) stop("an assay of Seurat needs every cell; subset the object to the results' cells first")
  for (name in names(assays)) object[[name]] <- SeuratObject::CreateAssayObject(data = columns_of(assays[[name]], where, names))
  object
}

add_to_experiment <- function(object, where, columns, reductions, assays) {
  names <- colnames(object)
  for (name in names(columns)) SummarizedExperiment::colData(object)[[name]] <- columns[[name]][where]
  for (name in names(reductions)) SingleCellExperiment::reducedDim(object, name) <- rows_of(reductions[[name]], where, names)
  for (name in names(assays)) {
    values <- columns_of(assays[[name]], where, names)
    if (identical(rownames(values), rownames(object))) {
      SummarizedExperiment::assay(object, name) <- values
    } else {
      SingleCellExperiment::altExp(object, name) <- SummarizedExperiment::SummarizedExperiment(list(data = values))
    }
  }
  object
}
