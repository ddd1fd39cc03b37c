#!/usr/bin/env Rscript
# betterChromVAR: deviations of peak sets without draws, by the authors' R package (Germain; chromVAR: Schep et al. 2017, 10.1038/nmeth.4401).

# counts  peaks x cells, sparse, every peak with a fragment; annotations  peaks x sets, sparse, weights from 0 to 1;
# bias  GC content of each peak; group  group of each cell: groups then count equally in the expectation.
# Value: deviations and z (sets x cells), fraction_matches, fraction_background_overlap (sets), variability (data frame, one
# row per set: variability, p_value, p_value_adj).
run_betterchromvar <- function(counts, annotations, bias, group = NULL, w = 0.1, bs = 50) {
  need(c("betterChromVAR", "BiocParallel", "SummarizedExperiment"))
  suppressPackageStartupMessages({
    library(betterChromVAR)
    library(SummarizedExperiment)
  })
  stopifnot(nrow(annotations) == nrow(counts), length(bias) == nrow(counts))
  annotations <- methods::as(annotations, "dMatrix")
  dimnames(counts) <- list(as.character(seq_len(nrow(counts))), as.character(seq_len(ncol(counts))))
  dimnames(annotations) <- list(rownames(counts), sprintf("set%d", seq_len(ncol(annotations))))
  experiment <- SummarizedExperiment(list(counts = counts), rowData = S4Vectors::DataFrame(bias = bias))
  message("betterChromVAR: deviations")
  result <- betterChromVAR(experiment, annotations, grouping = group, w = w, bs = bs)
  table <- as.data.frame(rowData(result))
  list(
    deviations = unname(as.matrix(assay(result, "deviations"))),
    z = unname(as.matrix(assay(result, "z"))),
    fraction_matches = unname(Matrix::colSums(annotations != 0)) / nrow(annotations),
    fraction_background_overlap = background_overlap(counts, annotations != 0, bias, w, bs),
    variability = data.frame(variability = table$variability, p_value = table$var.pval, p_value_adj = table$var.adjPval)
  )
}

# Share of the sets' background that lies in the sets themselves, from the package's own bins (an S4 object, formerly a list).
background_overlap <- function(counts, members, bias, w, bs) {
  bins <- betterChromVAR::getBackgroundBins(Matrix::rowMeans(counts), bias = bias, w = w, bs = bs)
  part <- function(name) if (isS4(bins)) methods::slot(bins, name) else bins[[name]]
  by_bin <- Matrix::sparseMatrix(i = part("peak2bin"), j = seq_len(nrow(counts)), dims = c(length(part("binDensity")), nrow(counts)))
  inside <- methods::as(by_bin, "dMatrix") %*% methods::as(members, "dMatrix")
  as.numeric(Matrix::colSums(inside * (part("binBinProbs") %*% inside)) / Matrix::colSums(inside))
}

if (sys.nframe() == 0L) {
  here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[[1L]]))
  for (file in c("guard.R", "cli.R")) source(file.path(here, "lib", file))
  options <- parse_options(list(
    counts = list(help = "peaks x cells, .mtx, .mtx.gz or .rds"),
    annotations = list(help = "peaks x sets, .mtx, .mtx.gz or .rds; weights from 0 to 1"),
    bias = list(help = "text file, GC content of each peak, one per line"),
    out = list(help = "folder for deviations.tsv, z.tsv, variability.tsv, ..."),
    sets = list(default = "", help = "text file, name of each set, one per line")
  ), about = "Deviations, z-scores and variability of peak sets with betterChromVAR.")
  annotations <- read_matrix(options$annotations)
  result <- run_betterchromvar(read_matrix(options$counts), annotations, read_column(options$bias))
  if (nzchar(options$sets)) rownames(result$deviations) <- rownames(result$z) <- rownames(result$variability) <- readLines(options$sets)
  write_results(result, options$out)
}
