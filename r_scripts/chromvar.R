#!/usr/bin/env Rscript
# chromVAR: deviations of peak sets, by the authors' R package (Schep et al. 2017, 10.1038/nmeth.4401).

# counts  peaks x cells, sparse, every peak with a fragment; annotations  peaks x sets, sparse, logical;
# bias  GC content of each peak (needed unless `background` is given); background  peaks x iterations, 1-based;
# expectation  expected fraction per peak, default chromVAR's; group  level of each cell for the expectation.
# n_bootstrap = 0 leaves out the bootstrap bounds of the variability.
# Value: deviations and z (sets x cells), fraction_matches, fraction_background_overlap, background (1-based),
# expectation, variability (data frame, one row per set).
run_chromvar <- function(counts, annotations, bias = NULL, background = NULL, expectation = NULL, norm = FALSE,
                         group = NULL, n_iterations = 50, w = 0.1, bs = 50, seed = 0, n_bootstrap = 0, n_workers = 1) {
  need(c("chromVAR", "BiocParallel", "SummarizedExperiment"))
  suppressPackageStartupMessages({
    library(chromVAR)
    library(SummarizedExperiment)
  })
  stopifnot(nrow(annotations) == nrow(counts))
  BiocParallel::register(
    if (n_workers > 1) BiocParallel::MulticoreParam(n_workers, RNGseed = seed) else BiocParallel::SerialParam(RNGseed = seed)
  )
  RNGkind("Mersenne-Twister", "Inversion", "Rejection")

  if (is.null(background)) {
    message("chromVAR: background peaks")
    set.seed(seed)
    background <- getBackgroundPeaks(counts, bias = bias, niterations = n_iterations, w = w, bs = bs)
  }
  if (is.null(expectation)) expectation <- computeExpectations(counts, norm = norm, group = group)

  # Names spare chromVAR a message of the Matrix package at every step; they do not leave this function.
  dimnames(counts) <- list(as.character(seq_len(nrow(counts))), as.character(seq_len(ncol(counts))))
  n_sets <- ncol(annotations)
  if (is.null(colnames(annotations))) colnames(annotations) <- sprintf("set%d", seq_len(n_sets))
  blocks <- split(seq_len(n_sets), ceiling(seq_len(n_sets) / max(1, ceiling(n_sets / 20))))
  experiment <- SummarizedExperiment(list(counts = counts))
  parts <- lapply(blocks, function(columns) {
    part <- SummarizedExperiment(list(matches = methods::as(annotations[, columns, drop = FALSE], "lMatrix")))
    result <- computeDeviations(experiment, annotations = part, background_peaks = background, expectation = expectation)
    message(sprintf("chromVAR: deviations %d%% (%d of %d sets)", (100 * max(columns)) %/% n_sets, max(columns), n_sets))
    result
  })
  result <- if (length(parts) == 1L) parts[[1L]] else do.call(rbind, unname(parts))

  message("chromVAR: variability")
  variability <- computeVariability(result, bootstrap_error = n_bootstrap > 0, bootstrap_samples = max(1, n_bootstrap))
  list(
    deviations = unname(deviations(result)),
    z = unname(deviationScores(result)),
    fraction_matches = as.numeric(rowData(result)$fractionMatches),
    fraction_background_overlap = as.numeric(rowData(result)$fractionBackgroundOverlap),
    background = background,
    expectation = unname(expectation),
    variability = variability[setdiff(names(variability), "name")]
  )
}

if (sys.nframe() == 0L) {
  here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[[1L]]))
  for (file in c("guard.R", "cli.R")) source(file.path(here, "lib", file))
  options <- parse_options(list(
    counts = list(help = "peaks x cells, .mtx, .mtx.gz or .rds"),
    annotations = list(help = "peaks x sets, .mtx, .mtx.gz or .rds; non-zero = in the set"),
    bias = list(help = "text file, GC content of each peak, one per line"),
    out = list(help = "folder for deviations.tsv, z.tsv, variability.tsv, ..."),
    sets = list(default = "", help = "text file, name of each set, one per line"),
    iterations = list(default = 50, help = "background peaks per peak"),
    seed = list(default = 0, help = "seed of the background peaks and the bootstrap"),
    bootstrap = list(default = 1000, help = "bootstrap samples of the variability, 0 for none"),
    workers = list(default = 1, help = "processes")
  ), about = "Deviations, z-scores and variability of peak sets with chromVAR.")
  annotations <- read_matrix(options$annotations)
  if (nzchar(options$sets)) colnames(annotations) <- readLines(options$sets)
  result <- run_chromvar(read_matrix(options$counts), annotations != 0, read_column(options$bias),
                         n_iterations = options$iterations, seed = options$seed, n_bootstrap = options$bootstrap,
                         n_workers = options$workers)
  rownames(result$deviations) <- rownames(result$z) <- rownames(result$variability)
  write_results(result, options$out)
}
