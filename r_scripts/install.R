#!/usr/bin/env Rscript
# Install what the R engines need, each package from the place that has it; or only check.
#
#   Rscript install.R                     everything that is missing
#   Rscript install.R chromVAR scABC      these and what they need
#   Rscript install.R --check [PACKAGE]   install nothing, say what is there and what to do; exit status 1 if something is missing
#   Rscript install.R --from=DIR          take source packages (folders or .tar.gz) found in DIR first, no network needed
#   Rscript install.R --lib=DIR           install there (default: the first writable library, else the user's own)

here <- local({
  file <- grep("^--file=", commandArgs(FALSE), value = TRUE)
  dirname(if (length(file)) sub("^--file=", "", file[[1L]]) else sys.frame(1L)$ofile)
})
source(file.path(here, "lib", "packages.R"))  # sources, check_packages, where_from

wanted_by_default <- setdiff(called, c("betterChromVAR", "rGREAT"))  # rGREAT brings some 40 packages and two genomes

# Packages and what they need, each after its own needs.
with_needs <- function(packages) {
  unique(unlist(lapply(packages, function(package) c(with_needs(sources[[package]]$needs), package))))
}

library_path <- function(chosen) {
  if (nzchar(chosen)) {
    dir.create(chosen, showWarnings = FALSE, recursive = TRUE)
    return(normalizePath(chosen))
  }
  writable <- .libPaths()[file.access(.libPaths(), 2) == 0]
  if (length(writable)) return(writable[[1L]])
  own <- Sys.getenv("R_LIBS_USER")
  dir.create(own, showWarnings = FALSE, recursive = TRUE)
  own
}

helper_package <- function(package, lib) {
  if (!is_installed(package)) utils::install.packages(package, lib = lib)
}

local_source <- function(package, folder) {
  if (!nzchar(folder)) return(character())
  candidates <- c(file.path(folder, package), Sys.glob(file.path(folder, paste0(package, "_*.tar.gz"))))
  candidates[file.exists(candidates)]
}

# Try each place in turn; return a sentence saying which one worked, or NULL.
install_one <- function(package, lib, from) {
  entry <- sources[[package]]
  attempts <- list()
  local <- local_source(package, from)
  if (length(local)) {
    attempts[[paste("from", local[[1L]])]] <- function() {
      utils::install.packages(local[[1L]], lib = lib, repos = NULL, type = "source", INSTALL_opts = "--no-docs")
    }
  }
  if (isTRUE(entry$bioc)) {
    attempts[["from Bioconductor"]] <- function() {
      helper_package("BiocManager", lib)
      if (package %in% BiocManager::available(paste0("^", package, "$"))) {
        BiocManager::install(package, lib = lib, update = FALSE, ask = FALSE)
      } else {
        message(package, " is not in Bioconductor ", BiocManager::version())
      }
    }
  }
  if (!is.null(entry$version)) {
    attempts[[paste("from CRAN, version", entry$version)]] <- function() {
      helper_package("remotes", lib)
      remotes::install_version(package, entry$version, lib = lib, upgrade = "never", dependencies = NA)
    }
  } else if (is.null(entry$bioc) && is.null(entry$github)) {
    attempts[["from CRAN"]] <- function() utils::install.packages(package, lib = lib)
    if (is.null(entry)) {
      attempts[["from Bioconductor"]] <- function() {
        helper_package("BiocManager", lib)
        BiocManager::install(package, lib = lib, update = FALSE, ask = FALSE)
      }
    }
  }
  if (!is.null(entry$github)) {
    attempts[[paste("from github.com", entry$github)]] <- function() {
      helper_package("remotes", lib)
      remotes::install_github(entry$github, lib = lib, upgrade = "never", dependencies = NA)
    }
  }
  for (name in names(attempts)) {
    message("installing ", package, " ", name)
    tryCatch(attempts[[name]](), error = function(condition) message("  failed: ", conditionMessage(condition)))
    if (is_installed(package)) return(paste("installed", name))
  }
  NULL
}

# What an installed package needs and is not there, however deep.
absent_needs <- function(package) {
  all <- utils::installed.packages(fields = NULL)
  deep <- tools::package_dependencies(package, db = all, which = c("Depends", "Imports", "LinkingTo"), recursive = TRUE)
  setdiff(unlist(deep, use.names = FALSE), c(rownames(all), "R"))
}

# Bring what a package lacks, then the package itself if it still does not load.
mend <- function(package, lib, from) {
  done <- vapply(absent_needs(package), function(name) is.null(install_one(name, lib, from)), TRUE)
  if (any(done)) message("could not install ", paste(names(done)[done], collapse = ", "))
  if (nzchar(check_packages(package)$problem)) install_one(package, lib, from)
  if (length(done)) paste("mended:", paste(names(done)[!done], collapse = ", ")) else "installed again"
}

main <- function(arguments) {
  flag <- function(name) sub(paste0("^--", name, "="), "", grep(paste0("^--", name, "="), arguments, value = TRUE))
  if (any(arguments %in% c("-h", "--help"))) {
    cat("Rscript install.R [--check] [--from=DIR] [--lib=DIR] [PACKAGE ...]\npackages:", names(sources), fill = 100)
    return(0L)
  }
  unknown <- setdiff(grep("^--", arguments, value = TRUE), "--check")
  unknown <- unknown[!grepl("^--(from|lib)=", unknown)]
  packages <- arguments[!grepl("^--", arguments)]
  unknown <- c(unknown, setdiff(packages, names(sources)))
  if (length(unknown)) stop("unknown: ", paste(unknown, collapse = ", "), "; see --help", call. = FALSE)
  check <- "--check" %in% arguments
  from <- c(flag("from"), "")[[1L]]
  packages <- if (length(packages)) with_needs(packages) else if (check) called else with_needs(wanted_by_default)
  cat(R.version.string, "\n", sep = "")
  if (!check) {
    lib <- library_path(c(flag("lib"), "")[[1L]])
    .libPaths(c(lib, .libPaths()))
    cat("library ", lib, "\n", sep = "")
    if (identical(unname(getOption("repos")["CRAN"]), "@CRAN@")) options(repos = c(CRAN = "https://cloud.r-project.org"))
  }
  missing <- 0L
  for (package in packages) {
    done <- "present"
    found <- check_packages(package)
    if (nzchar(found$problem) && !check) {
      done <- if (nzchar(found$version)) mend(package, lib, from) else install_one(package, lib, from)
      found <- check_packages(package)
    }
    if (nzchar(found$problem)) {
      missing <- missing + 1L
      todo <- if (check) command_for(package, normalizePath(file.path(here, "install.R")), found$problem) else where_from(package)
      if (nzchar(found$version)) {
        cat(sprintf("%-22s %-10s BROKEN: %s; %s\n", package, found$version, found$problem, todo))
      } else {
        cat(sprintf("%-22s %-10s %s\n", package, "MISSING", todo))
      }
    } else {
      cat(sprintf("%-22s %-10s %s\n", package, found$version, done))
    }
  }
  if (missing) 1L else 0L
}

if (sys.nframe() == 0L) quit(save = "no", status = main(commandArgs(trailingOnly = TRUE)))
