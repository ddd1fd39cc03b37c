# Sparse matrices and SummarizedExperiments, taken apart and put together for the bridge in Python.

make_sparse <- function(kind, i, p, x, dim) {
  need("Matrix")
  requireNamespace("Matrix", quietly = TRUE)
  methods::new(kind, i = i, p = p, x = x, Dim = dim)
}

# Any matrix class -> list of dgCMatrix/lgCMatrix slots, or a dense base matrix.
matrix_parts <- function(value) {
  if (methods::is(value, "DelayedArray") && DelayedArray::is_sparse(value)) value <- methods::as(value, "dgCMatrix")
  if (methods::is(value, "sparseMatrix")) {
    value <- methods::as(methods::as(value, "CsparseMatrix"), "generalMatrix")
    logical <- methods::is(value, "lMatrix") || methods::is(value, "nMatrix")
    value <- methods::as(value, if (logical) "lMatrix" else "dMatrix")
    return(list(sparse = TRUE, i = value@i, p = value@p, x = value@x, dim = value@Dim))
  }
  list(sparse = FALSE, values = unname(as.matrix(value)))
}

frame_columns <- function(frame) {
  columns <- lapply(seq_along(frame), function(k) {
    column <- frame[[k]]
    if (methods::is(column, "Rle")) column <- as.vector(column)
    if (is.atomic(column) && is.null(dim(column))) column else NULL
  })
  names(columns) <- names(frame)
  Filter(Negate(is.null), columns)
}

make_experiment <- function(kind, assays, obs, obs_names, var, var_names, ranges, reduced) {
  need(unique(c("SummarizedExperiment", kind)))
  frame <- function(columns, names) S4Vectors::DataFrame(columns, row.names = names, check.names = FALSE)
  assays <- lapply(assays, function(value) {
    dimnames(value) <- list(var_names, obs_names)
    value
  })
  arguments <- list(assays = assays, colData = frame(obs, obs_names))
  if (is.null(ranges)) {
    arguments$rowData <- frame(var, var_names)
  } else {
    rows <- GenomicRanges::GRanges(ranges$chrom, IRanges::IRanges(ranges$start + 1L, ranges$end))
    S4Vectors::mcols(rows) <- frame(var, NULL)
    names(rows) <- var_names
    arguments$rowRanges <- rows
  }
  if (kind == "SummarizedExperiment") return(do.call(SummarizedExperiment::SummarizedExperiment, arguments))
  reduced <- lapply(reduced, function(value) {
    rownames(value) <- obs_names
    value
  })
  do.call(SingleCellExperiment::SingleCellExperiment, c(arguments, list(reducedDims = reduced)))
}

experiment_parts <- function(experiment) {
  rows <- SummarizedExperiment::rowData(experiment)
  ranges <- NULL
  if (methods::is(experiment, "RangedSummarizedExperiment")) {
    where <- SummarizedExperiment::rowRanges(experiment)
    if (methods::is(where, "GRanges")) ranges <- ranges_parts(where)
  }
  reduced <- list()
  if (methods::is(experiment, "SingleCellExperiment")) {
    reduced <- lapply(as.list(SingleCellExperiment::reducedDims(experiment)), function(value) unname(as.matrix(value)))
  }
  names <- SummarizedExperiment::assayNames(experiment)
  count <- length(SummarizedExperiment::assays(experiment))
  if (is.null(names)) names <- sprintf("assay%d", seq_len(count))
  names[!nzchar(names)] <- sprintf("assay%d", seq_len(count))[!nzchar(names)]
  list(
    assays = stats::setNames(lapply(seq_len(count), function(k) {
      matrix_parts(SummarizedExperiment::assay(experiment, k, withDimnames = FALSE))
    }), names),
    obs = frame_columns(SummarizedExperiment::colData(experiment)),
    obs_names = colnames(experiment),
    var = frame_columns(rows),
    var_names = rownames(experiment),
    ranges = ranges,
    reduced = reduced,
    dim = dim(experiment)
  )
}

# 0-based, half-open.
ranges_parts <- function(where) {
  list(
    chrom = as.character(GenomicRanges::seqnames(where)),
    start = as.integer(GenomicRanges::start(where)) - 1L,
    end = as.integer(GenomicRanges::end(where)),
    strand = as.character(GenomicRanges::strand(where))
  )
}

frame_parts <- function(frame) list(columns = frame_columns(frame), names = rownames(frame))

classes <- function(value) methods::is(value)
