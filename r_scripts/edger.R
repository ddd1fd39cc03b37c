#!/usr/bin/env Rscript
# edgeR: quasi-likelihood F tests of pseudo-bulk counts, by the authors' R package (Chen et al. 2016, 10.12688/f1000research.8987.2).

# counts  peaks x samples, integers; design  samples x coefficients; contrasts  coefficients x contrasts.
# Value, each peaks x contrasts: logfc, statistic (F), pvalue, padj (Benjamini-Hochberg); logcpm (peaks).
run_edger <- function(counts, design, contrasts) {
  need("edgeR")
  stopifnot(nrow(design) == ncol(counts), nrow(contrasts) == ncol(design))
  colnames(design) <- paste0("c", seq_len(ncol(design)))
  data <- edgeR::calcNormFactors(edgeR::DGEList(counts = counts))
  data <- edgeR::estimateDisp(data, design)
  fit <- edgeR::glmQLFit(data, design)
  tables <- lapply(seq_len(ncol(contrasts)), function(k) {
    test <- edgeR::glmQLFTest(fit, contrast = contrasts[, k])
    cbind(test$table, padj = stats::p.adjust(test$table$PValue, "BH"))
  })
  bind <- function(name) do.call(cbind, lapply(tables, `[[`, name))
  list(logfc = bind("logFC"), statistic = bind("F"), pvalue = bind("PValue"), padj = bind("padj"),
       logcpm = as.numeric(tables[[1L]]$logCPM))
}

if (sys.nframe() == 0L) {
  here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[[1L]]))
  for (file in c("guard.R", "cli.R")) source(file.path(here, "lib", file))
  options <- parse_options(list(
    counts = list(help = "peaks x samples, .mtx, .mtx.gz or .rds"),
    labels = list(help = "text file, condition of each sample, one per line; the first in the alphabet is the reference"),
    out = list(help = "folder for logfc.tsv, statistic.tsv, pvalue.tsv, padj.tsv, logcpm.tsv")
  ), about = "Differential accessibility of conditions with edgeR's quasi-likelihood F test.")
  condition <- factor(read_column(options$labels))
  design <- unname(stats::model.matrix(~condition))
  result <- run_edger(as.matrix(read_matrix(options$counts)), design, diag(ncol(design))[, -1, drop = FALSE])
  write_results(result, options$out)
}
