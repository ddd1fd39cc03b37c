#!/usr/bin/env Rscript
# rGREAT: GREAT's tests of gene sets near regions, by the authors' R package (Gu and Huebschmann 2023, 10.1093/bioinformatics/btac745).

# regions  data frame chrom, start, end (0-based, half-open), group (1..G); genes  data frame chrom, tss (0-based), strand;
# sets  genes x terms, sparse, TRUE where the gene is in the term; sizes  named lengths of chromosomes; gaps  data frame
# chrom, start, end that count as no genome; mode, upstream, downstream, extension  as in rGREAT::great.
# Value, each terms x groups: fraction, region_hits, region_fold, region_p, gene_hits, gene_fold, gene_p; term_genes (terms);
# n_regions, n_genes_hit (groups); n_genes.
run_rgreat <- function(regions, genes, sets, sizes, gaps, mode = "basalPlusExt", upstream = 5000, downstream = 1000,
                       extension = 1e6) {
  need("rGREAT")
  suppressPackageStartupMessages(library(rGREAT))
  great_opt(verbose = FALSE)
  lengths <- vapply(sizes, as.numeric, 0)
  place <- function(table) {
    ranges <- IRanges::IRanges(table$start + 1L, table$end)
    GenomicRanges::GRanges(factor(table$chrom, names(lengths)), ranges, seqlengths = lengths)
  }
  known <- which(genes$chrom %in% names(lengths))
  starts <- place(data.frame(chrom = genes$chrom, start = genes$tss, end = genes$tss + 1L)[known, ])
  GenomicRanges::strand(starts) <- genes$strand[known]
  starts$gene_id <- as.character(known)
  domains <- suppressMessages(extendTSS(starts, seqlengths = lengths, mode = mode, basal_upstream = upstream,
                                        basal_downstream = downstream, extension = extension, verbose = FALSE))
  terms <- as.character(seq_len(ncol(sets)))
  sets <- methods::as(sets, "CsparseMatrix")
  members <- split(as.character(sets@i + 1L), factor(rep(terms, diff(sets@p)), terms))
  exclude <- if (length(gaps$chrom)) place(gaps)
  n_groups <- max(regions$group)
  found <- lapply(seq_len(n_groups), function(k) {
    result <- great(place(as.data.frame(regions)[regions$group == k, ]), members, extended_tss = domains, min_gene_set_size = 1,
                    exclude = exclude, verbose = FALSE)
    message(sprintf("rGREAT: %d%% (%d of %d groups)", (100 * k) %/% n_groups, k, n_groups))
    list(table = result@table[match(terms, result@table$id), ], n_regions = result@n_total, n_genes_hit = result@n_gene_gr,
         n_genes = length(unique(result@extended_tss$gene_id)))
  })
  # a term whose genes have no domain is not in rGREAT's table: nothing can hit it
  column <- function(name, absent) {
    values <- do.call(cbind, lapply(found, function(part) as.numeric(part$table[[name]])))
    missing <- do.call(cbind, lapply(found, function(part) is.na(part$table$id)))
    values[missing] <- absent
    values
  }
  list(
    fraction = column("genome_fraction", 0), region_hits = column("observed_region_hits", 0),
    region_fold = column("fold_enrichment", 0), region_p = column("p_value", 1), gene_hits = column("observed_gene_hits", 0),
    gene_fold = column("fold_enrichment_hyper", 0), gene_p = column("p_value_hyper", 1),
    term_genes = column("gene_set_size", 0)[, 1L], n_regions = vapply(found, `[[`, 0, "n_regions"),
    n_genes_hit = vapply(found, `[[`, 0, "n_genes_hit"), n_genes = found[[1L]]$n_genes
  )
}

if (sys.nframe() == 0L) {
  here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[[1L]]))
  for (file in c("guard.R", "cli.R")) source(file.path(here, "lib", file))
  options <- parse_options(list(
    regions = list(help = "BED"),
    tss = list(help = "table with the header chrom, tss (0-based), strand, gene_id"),
    sets = list(help = "GMT with genes as in gene_id"),
    sizes = list(help = "chromosome and length, tab-separated"),
    out = list(help = "folder for table.tsv"),
    gaps = list(default = "", help = "BED of what counts as no genome"),
    mode = list(default = "basalPlusExt", help = "basalPlusExt, twoClosest or oneClosest")
  ), about = "GREAT's tests of gene sets near regions, with rGREAT.")
  bed <- function(path) {
    if (!nzchar(path)) return(list())
    stats::setNames(utils::read.delim(path, header = FALSE)[1:3], c("chrom", "start", "end"))
  }
  sizes <- utils::read.delim(options$sizes, header = FALSE)
  genes <- utils::read.delim(options$tss)
  lines <- strsplit(readLines(options$sets), "\t")
  names(lines) <- vapply(lines, `[[`, "", 1L)
  members <- lapply(lines, function(line) which(genes$gene_id %in% line[-(1:2)]))
  sets <- Matrix::sparseMatrix(unlist(members), rep(seq_along(members), lengths(members)), dims = c(nrow(genes), length(members)))
  result <- run_rgreat(cbind(bed(options$regions), group = 1L), genes, sets, stats::setNames(as.list(sizes[[2L]]), sizes[[1L]]),
                       bed(options$gaps), mode = options$mode)
  table <- data.frame(term = names(lines), term_genes = result$term_genes)
  for (name in c("fraction", "region_hits", "region_fold", "region_p", "gene_hits", "gene_fold", "gene_p")) table[[name]] <- result[[name]][, 1L]
  write_results(list(table = table[order(table$region_p), ]), options$out)
}
