// Whose phone this is: the page brings the province's branding along.

/** `name`, `welcome`, `lead`, `hotline`, `vneidHotline`, `mailHost`. */
export const brand = document.querySelector("#screen").dataset;
