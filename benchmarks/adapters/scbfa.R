# scBFA (Li & Quon 2019): binary factor analysis; the thin result holds the log odds of detection.
# packages: Bioconductor scBFA, or its sources
# needs: R; name it by SCCASE_KIT_PEER_SCBFA=/usr/bin/Rscript. Without the package, a checkout of
# needs: github.com/quon-titative-biology/scBFA named by SCCASE_KIT_SCBFA_SOURCE is enough (with R's package Matrix)
# exchange: mtx

args <- commandArgs(trailingOnly = TRUE)
stopifnot(length(args) >= 2)
option <- function(name, default) {
  at <- match(name, args)
  if (is.na(at)) default else args[at + 1]
}
set.seed(as.integer(option("--seed", "0")))
n_components <- as.integer(option("--n-components", "10"))

suppressPackageStartupMessages(library(Matrix))
checkout <- Sys.getenv("SCCASE_KIT_SCBFA_SOURCE")
if (requireNamespace("scBFA", quietly = TRUE)) {
  scBFA <- scBFA::scBFA
} else if (nzchar(checkout)) {
  # a function of zinbwave that it imports: a rotation of the factors, which leaves their product as it is
  orthogonalizeTraceNorm <- function(U, V, a = 1, b = 1) list(U = U, V = V)
  source(file.path(checkout, "R", "BFA.R"))
} else {
  stop("neither the package scBFA nor SCCASE_KIT_SCBFA_SOURCE is there")
}
counts <- as.matrix(readMM(args[1])) # peaks × cells
fit <- scBFA(scData = counts, numFactors = n_components)
# log odds = Z Aᵀ + U 1ᵀ + 1 Vᵀ, as factors of two columns more
cells <- cbind(fit$ZZ, as.vector(fit$UU), 1)
peaks <- cbind(fit$AA, 1, as.vector(fit$VV))
dir.create(args[2])
write.table(cells, file.path(args[2], "cells.txt"), row.names = FALSE, col.names = FALSE)
write.table(peaks, file.path(args[2], "peaks.txt"), row.names = FALSE, col.names = FALSE)
