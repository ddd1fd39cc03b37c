#!/usr/bin/env Rscript
# Enhance the cells x peaks counts of a Seurat object or SingleCellExperiment and put embedding and clusters into it.
# For those who stay in R: the work is done by the Python package sccase_kit, called once.

if (sys.nframe() == 0L) {
  here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[[1L]]))
  source(file.path(here, "lib", "cli.R"))
  options <- parse_options(list(
    object = list(help = ".rds with a Seurat object or SingleCellExperiment"),
    out = list(help = ".rds to write: the object with reduction sccase and column louvain"),
    components = list(default = "auto", help = "components of the model, or auto"),
    clusters = list(default = "auto", help = "number of clusters, or auto: what the resolution 1 gives"),
    "min-fraction" = list(default = 0.01, help = "leave out peaks open in fewer of the cells"),
    enhanced = list(default = FALSE, help = "also store the enhanced matrix, which is dense"),
    python = list(default = "python3", help = "the Python that has sccase_kit")
  ), about = "Enhance single-cell ATAC counts with sccase_kit.")
  code <- "
import json, sys
import sccase_kit as sk
given = json.loads(sys.argv[1])
adata = sk.read(given['object'])
sk.pp.filter_peaks(adata, min_fraction=given['min-fraction'])
components = given['components']
sk.tl.enhance(adata, components if components == 'auto' else int(components))
clusters = given['clusters']
sk.tl.cluster(adata, n_clusters=None if clusters == 'auto' else int(clusters))
sk.r.write(adata, given['out'], into=given['object'], obs=['louvain'], obsm=['X_sccase'], enhanced=given['enhanced'])
"
  quoted <- vapply(options, function(value) if (is.character(value)) encodeString(value, quote = "\"") else tolower(value), "")
  given <- paste0("{", paste0("\"", names(options), "\": ", quoted, collapse = ", "), "}")
  quit(save = "no", status = system2(options$python, c("-c", shQuote(code), shQuote(given))))
}
