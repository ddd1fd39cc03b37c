#!/usr/bin/env Rscript
# scABC: p-values of cluster-specific peaks, by the authors' R package (Zamanighomi et al. 2018, 10.1038/s41467-018-04629-3).

# counts  peaks x cells, sparse; depth  background level of each cell (cells with depth <= 0 are dropped by scABC);
# labels  cluster of each cell, 1..K.
# Value: pvalues (peaks x K), beta (K + 1 x peaks, first row the intercept), sigma (K).
run_scabc <- function(counts, depth, labels, max_iter = 1000, tol_mle = 1e-3, tol_map = 1e-5) {
  need("scABC")
  stopifnot(length(depth) == ncol(counts), length(labels) == ncol(counts))
  clusters <- sort(unique(labels[depth > 0]))
  if (!identical(as.integer(clusters), seq_along(clusters))) {
    stop("labels of the cells with depth > 0 must be exactly 1..K, found ", paste(clusters, collapse = ", "))
  }
  suppressPackageStartupMessages(library(Matrix))
  fit <- scABC::getClusterSpecificPvalue(
    ForeGround = counts, cluster_assignments = labels, background_medians = depth,
    maxiter = max_iter, thresMLE = tol_mle, thresMAP = tol_map
  )
  cat("\n")
  list(pvalues = unname(fit$pvalue), beta = fit$betaMAP, sigma = fit$sigmas)
}

if (sys.nframe() == 0L) {
  here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[[1L]]))
  for (file in c("guard.R", "cli.R")) source(file.path(here, "lib", file))
  options <- parse_options(list(
    counts = list(help = "peaks x cells, .mtx, .mtx.gz or .rds"),
    labels = list(help = "text file, one cluster label per cell"),
    depth = list(help = "text file, background level of each cell, one per line"),
    out = list(help = "folder for pvalues.tsv, beta.tsv, sigma.tsv"),
    "max-iter" = list(default = 1000, help = "most Newton steps"),
    "tol-mle" = list(default = 1e-3, help = "step at which a peak of the MLE stops"),
    "tol-map" = list(default = 1e-5, help = "step at which a peak of the MAP stops")
  ), about = "Cluster-specific peaks with scABC::getClusterSpecificPvalue.")
  labels <- factor(read_column(options$labels))
  result <- run_scabc(read_matrix(options$counts), read_column(options$depth), as.integer(labels),
                      options[["max-iter"]], options[["tol-mle"]], options[["tol-map"]])
  colnames(result$pvalues) <- names(result$sigma) <- levels(labels)
  rownames(result$beta) <- c("intercept", levels(labels))
  write_results(result, options$out)
}
