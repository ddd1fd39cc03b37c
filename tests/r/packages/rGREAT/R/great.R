# GREAT's domains and tests by the description of McLean et al., Nature Biotechnology 2010, as loops over terms.

setClass("GreatObject", slots = list(table = "data.frame", n_total = "numeric", n_gene_gr = "numeric", extended_tss = "GRanges"))

great_opt <- function(...) invisible(NULL)

extendTSS <- function(gene, seqlengths, mode, basal_upstream, basal_downstream, extension, ...) {
  if (mode != "basalPlusExt") stop("this stand-in knows only basalPlusExt")
  # boundaries between bases: a domain holds the bases low + 1 .. high
  forward <- as.character(strand(gene)) == "+"
  at <- ifelse(forward, start(gene) - 1, start(gene))
  size <- seqlengths[as.character(seqnames(gene))]
  low <- pmax(at - ifelse(forward, basal_upstream, basal_downstream), 0)
  high <- pmin(at + ifelse(forward, basal_downstream, basal_upstream), size)
  first <- low
  last <- high
  for (name in unique(as.character(seqnames(gene)))) {
    here <- which(as.character(seqnames(gene)) == name)
    here <- here[order(at[here])]
    for (k in seq_along(here)) {
      i <- here[[k]]
      before <- if (k > 1L) high[[here[[k - 1L]]]] else 0
      after <- if (k < length(here)) low[[here[[k + 1L]]]] else size[[i]]
      first[[i]] <- min(low[[i]], max(before, at[[i]] - extension, 0))
      last[[i]] <- max(high[[i]], min(after, at[[i]] + extension, size[[i]]))
    }
  }
  domains <- GRanges(seqnames(gene), IRanges(first + 1, last), seqlengths = seqlengths)
  domains$gene_id <- gene$gene_id
  domains
}

great <- function(gr, gene_sets, extended_tss, min_gene_set_size, exclude = NULL, ...) {
  sizes <- GenomeInfoDb_lengths(extended_tss)
  genome <- GRanges(names(sizes), IRanges(1, sizes), seqlengths = sizes)
  if (!is.null(exclude)) genome <- setdiff(genome, exclude)
  middle <- (start(gr) - 1 + end(gr)) %/% 2 + 1
  points <- GRanges(seqnames(gr), IRanges(middle, middle))
  domains <- extended_tss
  hits <- findOverlaps(points, domains)
  gene <- domains$gene_id
  hit_gene <- gene[S4Vectors::subjectHits(hits)]
  n_genes <- length(unique(gene))
  n_hit <- length(unique(hit_gene))
  one <- function(id) {
    members <- intersect(gene_sets[[id]], gene)
    if (length(members) < min_gene_set_size) return(NULL)
    covered <- sum(width(intersect(reduce(domains[gene %in% members]), genome))) / sum(width(genome))
    behind <- hit_gene %in% members
    n <- length(unique(S4Vectors::queryHits(hits)[behind]))
    genes <- length(unique(hit_gene[behind]))
    data.frame(
      id = id, genome_fraction = covered, observed_region_hits = n, fold_enrichment = n / (covered * length(points)),
      p_value = pbinom(n - 1, length(points), covered, lower.tail = FALSE), observed_gene_hits = genes,
      gene_set_size = length(members), fold_enrichment_hyper = genes / (length(members) * n_hit / n_genes),
      p_value_hyper = phyper(genes - 1, length(members), n_genes - length(members), n_hit, lower.tail = FALSE)
    )
  }
  table <- do.call(rbind, lapply(names(gene_sets), one))
  new("GreatObject", table = table[order(table$p_value), ], n_total = length(points), n_gene_gr = n_hit, extended_tss = domains)
}

GenomeInfoDb_lengths <- function(x) {
  info <- seqinfo(x)
  stats::setNames(info@seqlengths, info@seqnames)
}
