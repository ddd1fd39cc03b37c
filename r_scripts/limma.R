#!/usr/bin/env Rscript
# limma: moderated t tests of pseudo-bulk counts with voom's weights, by the authors' R package (Law et al. 2014, 10.1186/gb-2014-15-2-r29).

# counts  peaks x samples, integers; design  samples x coefficients; contrasts  coefficients x contrasts.
# Value, each peaks x contrasts: logfc, se (of logfc), statistic (moderated t), pvalue, padj (Benjamini-Hochberg); logcpm (peaks).
run_limma <- function(counts, design, contrasts) {
  need(c("limma", "edgeR"))
  stopifnot(nrow(design) == ncol(counts), nrow(contrasts) == ncol(design))
  colnames(design) <- rownames(contrasts) <- paste0("c", seq_len(ncol(design)))
  data <- edgeR::calcNormFactors(edgeR::DGEList(counts = counts))
  fit <- limma::contrasts.fit(limma::lmFit(limma::voom(data, design), design), contrasts)
  fit <- limma::eBayes(fit)
  list(logfc = unname(fit$coefficients), se = unname(sqrt(fit$s2.post) * fit$stdev.unscaled), statistic = unname(fit$t),
       pvalue = unname(fit$p.value), padj = unname(apply(fit$p.value, 2L, stats::p.adjust, method = "BH")),
       logcpm = as.numeric(fit$Amean))
}

if (sys.nframe() == 0L) {
  here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[[1L]]))
  for (file in c("guard.R", "cli.R")) source(file.path(here, "lib", file))
  options <- parse_options(list(
    counts = list(help = "peaks x samples, .mtx, .mtx.gz or .rds"),
    labels = list(help = "text file, condition of each sample, one per line; the first in the alphabet is the reference"),
    out = list(help = "folder for logfc.tsv, se.tsv, statistic.tsv, pvalue.tsv, padj.tsv, logcpm.tsv")
  ), about = "Differential accessibility of conditions with limma-voom.")
  condition <- factor(read_column(options$labels))
  design <- unname(stats::model.matrix(~condition))
  result <- run_limma(as.matrix(read_matrix(options$counts)), design, diag(ncol(design))[, -1, drop = FALSE])
  write_results(result, options$out)
}
