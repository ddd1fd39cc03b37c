# scBFA (Li & Quon 2019): binary factor analysis; the enhanced matrix holds the detection probabilities.
# packages: Bioconductor scBFA, zellkonverter, SingleCellExperiment
# needs: R with these packages; name it by SCCASE_KIT_PEER_SCBFA=/usr/bin/Rscript

args <- commandArgs(trailingOnly = TRUE)
stopifnot(length(args) >= 2)
option <- function(name, default) {
  at <- match(name, args)
  if (is.na(at)) default else args[at + 1]
}
set.seed(as.integer(option("--seed", "0")))
n_components <- as.integer(option("--n-components", "10"))

suppressPackageStartupMessages({
  library(SingleCellExperiment)
  library(scBFA)
})
sce <- zellkonverter::readH5AD(args[1])
counts <- as.matrix(assay(sce, 1)) # peaks × cells
fit <- scBFA(scData = SingleCellExperiment(assays = list(counts = counts)), numFactors = n_components)
score <- fit@AA %*% t(fit@ZZ) # peaks × cells
score <- sweep(score, 1, as.vector(fit@UU), "+")
score <- sweep(score, 2, as.vector(fit@VV), "+")
probability <- 1 / (1 + exp(-score))
dimnames(probability) <- dimnames(counts)
zellkonverter::writeH5AD(SingleCellExperiment(assays = list(X = probability)), args[2], X_name = "X")
