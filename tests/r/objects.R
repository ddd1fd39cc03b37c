# Objects as R users hold them, for the tests: make("v3") and so on. Classes that no package of Debian has (Signac's
# ChromatinAssay, SeuratObject 5's Assay5, cisTopic) are defined here with the slots that they have there.
suppressPackageStartupMessages({
  library(Matrix)
  library(methods)
})

peaks <- sprintf("chr1-%d-%d", 1:6 * 100, 1:6 * 100 + 50)
cells <- paste0("cell", 1:5)

make_counts <- function() {
  values <- c(1, 0, 2, 0, 0, 3, 0, 1, 0, 4, 0, 0, 1, 1, 0, 0, 2, 0, 0, 0, 5, 1, 0, 1, 2, 0, 0, 0, 3, 1)
  as(matrix(values, 6, dimnames = list(peaks, cells)), "CsparseMatrix")
}

classes <- function() {
  where <- globalenv()
  setClass("Fragment", slots = c(path = "character", hash = "character", cells = "ANY"), where = where)
  setClass("ChromatinAssay", contains = "Assay", where = where, slots = c(
    ranges = "ANY", motifs = "ANY", fragments = "list", seqinfo = "ANY", annotation = "ANY", bias = "ANY",
    positionEnrichment = "list", links = "ANY"))
  setClass("LogMap", contains = "matrix", where = where)
  setClass("Assay5", where = where, slots = c(
    layers = "list", cells = "LogMap", features = "LogMap", default = "integer", assay.orig = "character",
    meta.data = "data.frame", misc = "list", key = "character"))
}

make_seurat <- function(kind) {
  suppressPackageStartupMessages(library(SeuratObject))
  m <- make_counts()
  table <- data.frame(type = factor(c("a", "b", "a", "b", "a")), score = 1:5 / 2, row.names = cells)
  s <- suppressWarnings(CreateSeuratObject(m, assay = "ATAC", meta.data = table))
  rna <- m[1:3, ]
  rownames(rna) <- c("GATA1", "TAL1", "SPI1")
  s[["RNA"]] <- suppressWarnings(CreateAssayObject(rna))
  e <- matrix(1:10 / 4, 5, dimnames = list(cells, c("LSI_1", "LSI_2")))
  l <- matrix(1:6 / 2, 3, dimnames = list(peaks[c(2, 4, 6)], c("LSI_1", "LSI_2")))
  s[["lsi"]] <- CreateDimReducObject(e, loadings = l, stdev = c(2, 1), key = "LSI_", assay = "ATAC")
  if (kind == "v3") return(s)
  classes()
  if (kind == "chromatin") {
    fragments <- list(new("Fragment", path = "/data/fragments.tsv.gz", hash = "x", cells = NULL))
    ranges <- GenomicRanges::GRanges("chr1", IRanges::IRanges(1:6 * 100, 1:6 * 100 + 50))
    assay <- new("ChromatinAssay", s[["ATAC"]], ranges = ranges, motifs = NULL, fragments = fragments)
    attributes(assay)$class <- structure("ChromatinAssay", package = "Signac")  # which need not be there where it is read
    s@assays$ATAC <- asS4(assay)
    return(s)
  }
  map <- function(names, layers, where) new("LogMap", matrix(where, length(names), length(layers), dimnames = list(names, layers)))
  plain <- function(x) {
    dimnames(x) <- list(NULL, NULL)
    x
  }
  parts <- list(counts.1 = plain(m[, 1:2]), counts.2 = plain(m[, 3:5]))
  s@assays$ATAC <- new("Assay5",
    layers = parts, default = 1L, key = "atac_", meta.data = data.frame(gc = 1:6 / 10, row.names = peaks),
    cells = map(cells, names(parts), c(TRUE, TRUE, FALSE, FALSE, FALSE, FALSE, FALSE, TRUE, TRUE, TRUE)),
    features = map(peaks, names(parts), TRUE)
  )
  s
}

make_experiment <- function(kind) {
  suppressPackageStartupMessages(library(SingleCellExperiment))
  m <- make_counts()
  ranges <- GRanges("chr1", IRanges(1:6 * 100, 1:6 * 100 + 50))
  names(ranges) <- peaks
  ranges$gc <- 1:6 / 10
  table <- DataFrame(type = factor(c("a", "b", "a", "b", "a")), run = Rle(c("x", "x", "y", "y", "y")), row.names = cells)
  if (kind == "se") return(SummarizedExperiment(list(counts = m, half = as.matrix(m) / 2), colData = table, rowRanges = ranges))
  s <- SingleCellExperiment(list(counts = m), colData = table, rowRanges = ranges)
  reducedDim(s, "PCA") <- matrix(1:10 / 4, 5, dimnames = list(cells, c("PC1", "PC2")))
  reducedDim(s, "motifs") <- matrix(1:10 / 4, 5, dimnames = list(cells, c("CTCF", "GATA1")))
  altExp(s, "RNA") <- SummarizedExperiment(list(counts = m[1:3, ] * 2))
  metadata(s)$genome <- "hg19"
  s
}

make_cistopic <- function() {
  setClass("cisTopic", where = globalenv(), slots = c(
    is.acc = "numeric", project.name = "character", count.matrix = "ANY", binary.count.matrix = "ANY",
    cell.names = "character", cell.data = "data.frame", region.names = "character", region.data = "data.frame",
    region.ranges = "ANY", models = "list", selected.model = "list", version = "ANY"))
  new("cisTopic",
    count.matrix = make_counts(), cell.names = cells, region.names = sub("-", ":", peaks),
    cell.data = data.frame(nCounts = 1:5, row.names = cells),
    region.data = data.frame(seqnames = "chr1", start = as.character(1:6 * 100), end = as.character(1:6 * 100 + 50), width = 50,
                             nCounts = 1:6, row.names = sub("-", ":", peaks)),
    region.ranges = GenomicRanges::GRanges("chr1", IRanges::IRanges(1:6 * 100, 1:6 * 100 + 50)),
    selected.model = list(document_expects = matrix(1:10 / 10, 2), topics = matrix(1:12, 2))
  )
}

make_archr <- function() {
  suppressPackageStartupMessages(library(GenomicRanges))
  lists <- c("projectMetadata", "projectSummary", "sampleMetadata", "cellMetadata", "reducedDims", "embeddings",
             "peakAnnotation", "geneAnnotation", "genomeAnnotation", "imputeWeights")
  slots <- c(stats::setNames(rep("SimpleList", length(lists)), lists), sampleColData = "DataFrame", cellColData = "DataFrame")
  setClassUnion("GRangesOrNull", c("GRanges", "NULL"), where = globalenv())
  setClass("ArchRProject", slots = c(slots, peakSet = "GRangesOrNull"), where = globalenv())
  cells <- c("S2#AAAT-1", "S1#AAAC-1", "S1#AAAT-1")
  named <- function(values, cells, names) matrix(values, length(cells), dimnames = list(cells, names))
  umap <- as.data.frame(named(1:6 / 10, cells, c("IterativeLSI#UMAP_1", "IterativeLSI#UMAP_2")))
  peaks <- GRanges(c("chr2", "chr1"), IRanges(c(1, 101), c(500, 600)), nearestGene = c("B", "A"))
  new("ArchRProject",
    projectMetadata = SimpleList(outputDirectory = "/elsewhere"), peakSet = peaks,
    sampleColData = DataFrame(row.names = c("S1", "S2"), ArrowFiles = paste0("/elsewhere/ArrowFiles/S", 1:2, ".arrow"), batch = 1:2),
    cellColData = DataFrame(row.names = cells, Sample = Rle(c("S2", "S1", "S1")), nFrags = c(30, 10, 30), Clusters = c("C1", "C2", "C1")),
    reducedDims = SimpleList(
      IterativeLSI = SimpleList(matSVD = named(1:6, cells, c("LSI1", "LSI2")), date = Sys.time()),
      Harmony = SimpleList(matDR = named(c(10, 20), cells[1:2], "LSI1"))),
    embeddings = SimpleList(UMAP = SimpleList(df = umap, params = list(nNeighbors = 30))),
    peakAnnotation = SimpleList(Motif = "all"), imputeWeights = SimpleList(w = 1)
  )
}

make <- function(kind) {
  switch(kind,
    v3 = , chromatin = , v5 = make_seurat(kind),
    se = , sce = make_experiment(kind),
    cistopic = make_cistopic(),
    archr = make_archr(),
    counts = make_counts(),
    frame = data.frame(n = 1:3, text = c("a", NA, "c"), f = factor(c("u", "v", "u")), row.names = c("x", "y", "z")),
    list = list(a = 1:3, b = list("x", NULL), c = as.Date("2020-01-02")),
    several = list(counts = make_counts(), n = 1:3)
  )
}

if (sys.nframe() == 0L) {
  arguments <- commandArgs(trailingOnly = TRUE)
  for (kind in arguments[-1L]) saveRDS(make(kind), file.path(arguments[[1L]], paste0(kind, ".rds")))
  counts <- make_counts()
  table <- make("frame")
  save(counts, file = file.path(arguments[[1L]], "one.RData"))
  save(counts, table, file = file.path(arguments[[1L]], "two.RData"))
}
