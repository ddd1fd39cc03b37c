# Sparse matrices and experiments, put together for Python; matrices of any class made plain for it.

make_sparse <- function(kind, i, p, x, dim) {
  need("Matrix")
  requireNamespace("Matrix", quietly = TRUE)
  methods::new(kind, i = i, p = p, x = x, Dim = dim)
}

# Any matrix class -> dgCMatrix or lgCMatrix, or a dense base matrix.
plain_matrix <- function(value) {
  if (methods::is(value, "DelayedArray") && DelayedArray::is_sparse(value)) value <- methods::as(value, "dgCMatrix")
  if (methods::is(value, "sparseMatrix")) {
    value <- methods::as(methods::as(value, "CsparseMatrix"), "generalMatrix")
    logical <- methods::is(value, "lMatrix") || methods::is(value, "nMatrix")
    return(methods::as(value, if (logical) "lMatrix" else "dMatrix"))
  }
  as.matrix(value)
}

# A DataFrame of exactly these columns, also of none, whatever they are called.
make_frame <- function(columns, nrow, names = NULL) {
  if (is.null(names(columns))) names(columns) <- character()
  methods::new(methods::getClass("DFrame", where = asNamespace("S4Vectors")), listData = columns, nrows = nrow, rownames = names)
}

# A sparse matrix as pairs (SingleCellExperiment fails on sparse matrices of 1 x 1).
pairs_of <- function(matrix) {
  to <- rep(seq_len(ncol(matrix)), diff(matrix@p))
  S4Vectors::SelfHits(matrix@i + 1L, to, nnode = nrow(matrix), x = matrix@x)
}

make_experiment <- function(kind, assays, obs, obs_names, var, var_names, ranges, reduced, col_pairs, row_pairs, raw, note) {
  need(unique(c("SummarizedExperiment", kind)))
  suppressPackageStartupMessages(requireNamespace("SummarizedExperiment", quietly = TRUE))
  assays <- lapply(assays, function(value) {
    dimnames(value) <- list(var_names, obs_names)
    value
  })
  cells <- make_frame(obs, length(obs_names), obs_names)
  arguments <- list(assays = assays, colData = cells, metadata = list(sccase_kit = note))
  if (is.null(ranges)) {
    arguments$rowData <- make_frame(var, length(var_names), var_names)
  } else {
    rows <- GenomicRanges::GRanges(ranges$chrom, IRanges::IRanges(ranges$start + 1L, ranges$end))
    names(rows) <- var_names
    S4Vectors::mcols(rows) <- make_frame(var, length(var_names))
    arguments$rowRanges <- rows
  }
  if (kind == "SummarizedExperiment") return(do.call(SummarizedExperiment::SummarizedExperiment, arguments))
  reduced <- lapply(reduced, function(value) {
    rownames(value) <- obs_names
    value
  })
  arguments$reducedDims <- reduced
  if (!is.null(raw)) {
    dimnames(raw$assay) <- list(raw$var_names, obs_names)
    raw_rows <- make_frame(raw$var, length(raw$var_names), raw$var_names)
    arguments$altExps <- list(raw = SummarizedExperiment::SummarizedExperiment(list(counts = raw$assay), rowData = raw_rows))
  }
  experiment <- do.call(SingleCellExperiment::SingleCellExperiment, arguments)
  for (name in names(col_pairs)) SingleCellExperiment::colPair(experiment, name) <- pairs_of(col_pairs[[name]])
  for (name in names(row_pairs)) SingleCellExperiment::rowPair(experiment, name) <- pairs_of(row_pairs[[name]])
  experiment
}
