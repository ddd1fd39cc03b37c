# The R packages of the engines: where each lives, which can be used, and the command that brings one to this machine.

# Where each package lives. chromVAR left Bioconductor in release 3.23: newer R gets it from the authors, at the
# commit the native engine was checked against. WeightedCluster 2 needs many more packages than scABC uses: 1.4-1 does.
# rGREAT imports the two TxDb packages, which no distribution but Bioconductor has.
sources <- list(
  SummarizedExperiment = list(bioc = TRUE, apt = "r-bioc-summarizedexperiment"),
  SingleCellExperiment = list(bioc = TRUE, apt = "r-bioc-singlecellexperiment"),
  BiocParallel = list(bioc = TRUE, apt = "r-bioc-biocparallel"),
  TFBSTools = list(bioc = TRUE, apt = "r-bioc-tfbstools"),
  BSgenome = list(bioc = TRUE, apt = "r-bioc-bsgenome"),
  Rsamtools = list(bioc = TRUE, apt = "r-bioc-rsamtools"),
  SeuratObject = list(apt = "r-cran-seuratobject"),
  edgeR = list(bioc = TRUE, apt = "r-bioc-edger"),
  limma = list(bioc = TRUE, apt = "r-bioc-limma"),
  GenomicFeatures = list(bioc = TRUE, apt = "r-bioc-genomicfeatures"),
  GO.db = list(bioc = TRUE, apt = "r-bioc-go.db"),
  org.Hs.eg.db = list(bioc = TRUE, apt = "r-bioc-org.hs.eg.db"),
  TxDb.Hsapiens.UCSC.hg19.knownGene = list(bioc = TRUE),
  TxDb.Hsapiens.UCSC.hg38.knownGene = list(bioc = TRUE),
  DelayedMatrixStats = list(bioc = TRUE, apt = "r-bioc-delayedmatrixstats"),
  Matrix = list(apt = "r-cran-matrix"),
  circlize = list(apt = "r-cran-circlize"),
  doParallel = list(apt = "r-cran-doparallel"),
  GetoptLong = list(apt = "r-cran-getoptlong"),
  progress = list(apt = "r-cran-progress"),
  RCurl = list(apt = "r-cran-rcurl"),
  rjson = list(apt = "r-cran-rjson"),
  RcppArmadillo = list(apt = "r-cran-rcpparmadillo"),
  RcppEigen = list(apt = "r-cran-rcppeigen"),
  BH = list(apt = "r-cran-bh"),
  ggplot2 = list(apt = "r-cran-ggplot2"),
  plotly = list(apt = "r-cran-plotly"),
  shiny = list(apt = "r-cran-shiny"),
  miniUI = list(apt = "r-cran-miniui"),
  DT = list(apt = "r-cran-dt"),
  Rtsne = list(apt = "r-cran-rtsne"),
  vegan = list(apt = "r-cran-vegan"),
  boot = list(apt = "r-cran-boot"),
  cluster = list(apt = "r-cran-cluster"),
  colorspace = list(apt = "r-cran-colorspace"),
  RColorBrewer = list(apt = "r-cran-rcolorbrewer"),
  nabor = list(needs = c("RcppEigen", "BH"), version = "0.5.0"),
  TraMineR = list(needs = c("vegan", "boot", "cluster", "colorspace", "RColorBrewer")),
  WeightedCluster = list(needs = "TraMineR", version = "1.4-1"),
  motifmatchr = list(bioc = TRUE, needs = c("TFBSTools", "BSgenome", "Rsamtools", "RcppArmadillo", "SummarizedExperiment"),
                     github = "GreenleafLab/motifmatchr@d0dc70e5b25d4d80b5bd96de8820a82de174baa5"),
  chromVAR = list(bioc = TRUE,
                  needs = c("nabor", "BiocParallel", "TFBSTools", "BSgenome", "Rsamtools", "RcppArmadillo", "ggplot2",
                            "plotly", "shiny", "miniUI", "DT", "Rtsne", "RColorBrewer", "SummarizedExperiment"),
                  github = "GreenleafLab/chromVAR@0f27fcc8463d537d770f164a55f949701beb6add"),
  scABC = list(needs = c("WeightedCluster", "Rsamtools", "Matrix"),
               github = "SUwonglab/scABC@caf941a610671b4ab28ce43cb2f4a68c843cf4f9"),
  betterChromVAR = list(bioc = TRUE, needs = c("SummarizedExperiment", "BiocParallel", "DelayedMatrixStats"),
                        github = "plger/betterChromVAR"),
  rGREAT = list(bioc = TRUE,
                needs = c("GenomicFeatures", "GO.db", "org.Hs.eg.db", "TxDb.Hsapiens.UCSC.hg19.knownGene",
                          "TxDb.Hsapiens.UCSC.hg38.knownGene", "circlize", "doParallel", "GetoptLong", "progress", "RCurl",
                          "rjson", "shiny", "DT"),
                github = "jokergoo/rGREAT@f5c3ad1bbf46485bac2fbc9dc05a3051e974cafa")
)

# The packages that sccase_kit calls: what its status, its doctor and install.R --check tell about.
called <- c("Matrix", "SummarizedExperiment", "SingleCellExperiment", "chromVAR", "motifmatchr", "TFBSTools", "scABC", "edgeR",
            "limma", "betterChromVAR", "rGREAT")

is_installed <- function(package) nzchar(system.file(package = package))

# Data frame of package, version ("" if not installed) and problem ("" if it loads). A package is loaded, because one
# whose own needs are missing is there and yet useless.
check_packages <- function(packages) {
  rows <- lapply(packages, function(package) {
    if (!is_installed(package)) return(data.frame(package = package, version = "", problem = "not installed"))
    problem <- tryCatch({
      suppressPackageStartupMessages(suppressWarnings(loadNamespace(package)))
      ""
    }, error = function(condition) gsub("[[:space:]]+", " ", conditionMessage(condition)))
    data.frame(package = package, version = as.character(utils::packageVersion(package)), problem = problem)
  })
  if (length(rows)) do.call(rbind, rows) else data.frame(package = character(), version = character(), problem = character())
}

# TRUE when Debian or Ubuntu can bring packages as binaries: said, not done, because that needs root.
on_debian <- function() file.exists("/etc/debian_version") && nzchar(Sys.which("apt-get"))

where_from <- function(package) {
  entry <- sources[[package]]
  places <- c(
    if (on_debian() && !is.null(entry$apt)) paste("apt-get install", entry$apt),
    if (isTRUE(entry$bioc)) "Bioconductor, if the release for this R has it",
    if (!is.null(entry$version)) paste("CRAN, version", entry$version),
    if (is.null(entry$bioc) && is.null(entry$version) && is.null(entry$github)) "CRAN",
    if (!is.null(entry$github)) paste0("https://github.com/", entry$github)
  )
  paste(places, collapse = "; or ")
}

# The one command that brings a package to this machine, and from where; one that is there and does not load
# (`problem`) lacks packages of its own, which the installer finds.
command_for <- function(package, installer, problem = "not installed") {
  entry <- sources[[package]]
  if (problem != "not installed") return(paste("Rscript", installer, package))
  if (on_debian() && !is.null(entry$apt)) return(paste("apt-get install", entry$apt))
  line <- paste("Rscript", installer, package)
  if (is.null(entry)) line else paste0(line, "  (", where_from(package), ")")
}

# Rscript packages.R PACKAGE ...: R's version, then a line for each: package, version, problem and command between tabs.
if (sys.nframe() == 0L) {
  here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[[1L]]))
  found <- check_packages(commandArgs(trailingOnly = TRUE))
  installer <- file.path(dirname(here), "install.R")
  found$command <- vapply(seq_len(nrow(found)), function(k) command_for(found$package[[k]], installer, found$problem[[k]]), "")
  cat("R", as.character(getRversion()), "", "\n", sep = "\t")
  for (k in seq_len(nrow(found))) cat(paste(found[k, ], collapse = "\t"), "\n", sep = "")
}
